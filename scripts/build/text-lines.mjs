// The texts of the module and of the pool's workers in a bundle, in lines.

/** The length of the lines that a text lies in. */
const LINE = 8000;

/**
 * Code with a text of the build's on lines of its own: in a string, a backslash at the end of a
 * line leaves the end out. Engines and tools show lines, above all that in which an error was
 * thrown.
 * @param {string} code
 */
export function inLines(code) {
  return code.replaceAll(/"[ !#-[\]-~]{10000,}"/g, (literal) => {
    const lines = literal.slice(1, -1).match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
    return `"\\\n${lines.join('\\\n')}\\\n"`;
  });
}

/**
 * Code with a text as it was.
 * @param {string} code
 */
export function withoutLines(code) {
  return code.replaceAll('\\\n', '');
}
