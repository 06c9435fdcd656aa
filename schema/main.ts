import { writeFileSync } from 'node:fs';
import { builtFiles } from './built.ts';

for (const [path, text] of builtFiles()) {
  writeFileSync(path, text);
  console.log(path);
}
