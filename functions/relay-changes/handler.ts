import { services } from '../../shared/runtime/services.ts';
import { streamHandler } from '../../shared/runtime/stream-handler.ts';
import { relayChanges } from '../../shared/workflow/relay-changes.ts';

export const handler = streamHandler((changes) => relayChanges(services(), changes));
