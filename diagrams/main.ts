import { writeFileSync } from 'node:fs';
import { handOverPage } from './hand-over-page.ts';

writeFileSync('docs/hand-over.md', handOverPage());
console.log('docs/hand-over.md');
