import { InvalidArgumentError } from 'commander';

/** Reads the number of an option. @returns a reader that takes whole numbers from `least` up, and refuses all else */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`give a whole number from ${String(least)} up`);
  };
}
