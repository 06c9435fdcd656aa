import { type Operation, operations } from './operations.ts';

/** The methods by which something can be asked at a path; none: there is nothing. */
export function methodsAt(path: string): readonly string[] {
  const found = Object.values<Operation>(operations).filter(({ url }) => patternOf(url).test(path));
  const methods = found.map(({ method }) => method);
  if (methods.length === 0) return [];
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
}

function patternOf(url: string): RegExp {
  return new RegExp(`^${url.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`);
}
