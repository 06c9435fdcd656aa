import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { orFailure } from '../platform/failure.ts';
import { packageFolder } from '../platform/package.ts';
import { usageError } from '../platform/problem.ts';
import type { Exit } from './exit.ts';
import { print, write } from './standard-streams.ts';

/** What people come with, and what they are given: a file of `config/init`. */
const questions = {
  order: 'which page order keeps the stop short?',
  reservation: 'what do I have to reserve for guest and sender?',
  vm: 'my VM: does it converge, how long is it stopped?',
  log: 'my program, whose writes I have recorded, or will',
} as const;

type Question = keyof typeof questions;

/** `switchover init QUESTION`: a scenario with comments, to be changed. */
export function initCommand(command: Command, exit: Exit): void {
  const list = Object.entries(questions).map(([name, meaning]) => `${name} (${meaning})`);
  command
    .argument('[question]', list.join('; '))
    .addOption(new Option('--out <file>', 'write it to this new file instead of standard output'))
    .action((question: string | undefined, { out }: { readonly out?: string }) => {
      if (question === undefined) {
        print(`switchover init QUESTION [--out FILE]\n\n${list.map((line) => `  ${line}`).join('\n')}`);
      } else if (out === undefined) write(templateOf(questionOf(question)));
      else writeNew(out, templateOf(questionOf(question)));
      exit(0);
    });
}

/** @throws UsageError there is no template for it */
function questionOf(text: string): Question {
  const question = Object.keys(questions).find((name) => name === text.toLowerCase());
  if (question !== undefined) return question as Question;
  throw usageError('question', `a question: ${Object.keys(questions).join(', ')}`, text);
}

/** With paths that hold wherever it is put. */
function templateOf(question: Question): string {
  const text = readFileSync(join(packageFolder, 'config/init', `${question}.yaml`), 'utf8');
  const recording = join(packageFolder, 'traces/vlc-http-stream.ndjson.gz');
  return text.replace('../../schema', join(packageFolder, 'schema')).replace('RECORDING', recording);
}

/** @throws Failure it is there already, or cannot be written */
function writeNew(file: string, text: string): void {
  orFailure(`cannot write ${file}`, () => writeFileSync(file, text, { flag: 'wx' }));
}
