import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

// Each file named on the command line is a module; what each prints, a line of JSON.
const { log } = console;
for (const file of process.argv.slice(2)) {
  const printed = [];
  console.log = (...values) => printed.push(format(...values));
  await import(pathToFileURL(file).href);
  log(JSON.stringify(printed));
}
