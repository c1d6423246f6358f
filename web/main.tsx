import { render } from 'preact';
import * as z from 'zod';
import { App } from './app.tsx';

// The page forbids code that is made from text.
z.config({ jitless: true });

const root = document.getElementById('console');
if (root === null) throw new Error('index.html has no place for the console');
render(<App />, root);
