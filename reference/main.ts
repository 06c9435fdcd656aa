import { writeFileSync } from 'node:fs';
import { MAN_PAGE, manPage } from './man-page.ts';
import { referencePages } from './pages.ts';

for (const [path, text] of [...referencePages('.'), [MAN_PAGE, await manPage()] as const]) {
  writeFileSync(path, text);
  console.log(path);
}
