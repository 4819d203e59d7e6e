/** A text from outside, as far as an error message has room for it: so many characters. */
export function shorten(text: string, most = 100): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
