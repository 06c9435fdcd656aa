import { join } from 'node:path';
import { type ClassDeclaration, type ExportedDeclarations, type JSDoc, Node, Project } from 'ts-morph';
import { type Face, faces } from './faces.ts';

/** One export of a face. */
export interface Entry {
  readonly name: string;
  readonly kind: 'function' | 'class' | 'value' | 'type';
  /** As TypeScript, without its body. */
  readonly signature: string;
  /** Its docstring without tags. */
  readonly text: string;
  /** `@param name text`, `@returns text`, `@throws text`, in the order in which they are written. */
  readonly tags: readonly { readonly tag: string; readonly text: string }[];
}

/** A face, and what it says of itself. */
export interface FaceEntries {
  readonly face: Face;
  readonly text: string;
  readonly entries: readonly Entry[];
}

/** What the faces export, from their sources. */
export function entriesOfFaces(root: string): readonly FaceEntries[] {
  const project = new Project({
    tsConfigFilePath: join(root, 'tsconfig.json'),
    skipAddingFilesFromTsConfig: true,
  });
  return faces.map((face) => {
    const source = project.addSourceFileAtPath(join(root, face.source));
    project.resolveSourceFileDependencies();
    const [, comment = ''] = /^\/\*\*([\s\S]*?)\*\//.exec(source.getFullText()) ?? [];
    const types = new Set(
      source.getExportDeclarations().flatMap((declaration) =>
        declaration
          .getNamedExports()
          .filter((named) => declaration.isTypeOnly() || named.isTypeOnly())
          .map((named) => named.getName()),
      ),
    );
    const entries = [...source.getExportedDeclarations()].map(([name, [declaration]]): Entry => {
      const entry = entryOf(name, declaration!);
      return types.has(name) ? { ...entry, kind: 'type' } : entry;
    });
    return { face, text: comment.replace(/^ *\* ?/gm, '').trim(), entries };
  });
}

function entryOf(name: string, declaration: ExportedDeclarations): Entry {
  const docs = docsOf(declaration);
  const tags = docs.flatMap((doc) =>
    doc.getTags().map((tag) => {
      const parameter = Node.isJSDocParameterTag(tag) ? `\`${tag.getName()}\`: ` : '';
      return { tag: tag.getTagName(), text: parameter + (tag.getCommentText() ?? '').trim() };
    }),
  );
  const text = docs.map((doc) => doc.getDescription().trim()).join('\n\n');
  return { name, ...shapeOf(declaration), text, tags };
}

function docsOf(declaration: Node): readonly JSDoc[] {
  const documented = Node.isVariableDeclaration(declaration)
    ? declaration.getVariableStatement()
    : Node.isBindingElement(declaration)
      ? declaration.getFirstAncestor(Node.isVariableStatement)
      : declaration;
  return Node.isJSDocable(documented) ? documented.getJsDocs().slice(-1) : [];
}

function shapeOf(declaration: ExportedDeclarations): Pick<Entry, 'kind' | 'signature'> {
  if (Node.isFunctionDeclaration(declaration)) {
    return {
      kind: 'function',
      signature: withoutBody(declaration.getText(), declaration.getBody()?.getText()),
    };
  }
  if (Node.isClassDeclaration(declaration)) return { kind: 'class', signature: publicMembers(declaration) };
  if (Node.isInterfaceDeclaration(declaration) || Node.isTypeAliasDeclaration(declaration)) {
    return { kind: 'type', signature: declaration.getText().replace(/^export /, '') };
  }
  const type = declaration
    .getType()
    .getText(declaration)
    .replace(/import\("[^"]*"\)\./g, '');
  const name = Node.hasName(declaration) ? declaration.getName() : '';
  return { kind: 'value', signature: `const ${name}: ${type}` };
}

function withoutBody(text: string, body = ''): string {
  return text
    .slice(0, text.length - body.length)
    .replace(/^export /, '')
    .trim();
}

/** A class as its user sees it: constructor, properties and methods that are not private, with their docstrings. */
function publicMembers(declaration: ClassDeclaration): string {
  const heritage = declaration.getExtends() ? ` extends ${declaration.getExtends()!.getText()}` : '';
  const members = declaration.getMembers().filter((member) => {
    if (Node.isConstructorDeclaration(member)) return !member.hasModifier('private');
    return !Node.isClassStaticBlockDeclaration(member) && !member.getName().startsWith('#');
  });
  const lines = members.map((member) => {
    const docs = Node.isJSDocable(member) ? member.getJsDocs().map((doc) => doc.getText()) : [];
    const body = Node.isBodyable(member) ? member.getBody()?.getText() : undefined;
    const initializer = Node.isInitializerExpressionGetable(member)
      ? member.getInitializer()?.getText()
      : undefined;
    const text = member.getText();
    const bare = initializer === undefined ? withoutBody(text, body) : text.slice(0, text.lastIndexOf(' = '));
    return [...docs, bare.replace(/;$/, '')].map((line) => `  ${line}`).join('\n');
  });
  return [`class ${declaration.getName()}${heritage} {`, ...lines, '}'].join('\n');
}
