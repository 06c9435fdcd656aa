import { writeFileSync } from 'node:fs';
import { referencePages } from './pages.ts';

for (const [path, text] of referencePages('.')) {
  writeFileSync(path, text);
  console.log(path);
}
