/**
 * Does `text` match `pattern`, in which `*` stands for any characters and nothing else is special?
 *
 * Linear in the product of the lengths at worst, without backtracking blow-up: a pattern comes from
 * the operator, but the text comes from a charger.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let patternAt = 0;
  let textAt = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (textAt < text.length) {
    if (pattern[patternAt] === '*') {
      starAt = patternAt;
      resumeAt = textAt;
      patternAt += 1;
    } else if (pattern[patternAt] === text[textAt]) {
      patternAt += 1;
      textAt += 1;
    } else if (starAt >= 0) {
      patternAt = starAt + 1;
      resumeAt += 1;
      textAt = resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[patternAt] === '*') patternAt += 1;
  return patternAt === pattern.length;
}
