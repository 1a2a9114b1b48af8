// Makes an accent colour legible, whatever an org chose: it is moved towards black or white until it contrasts enough
// with what it stands on, by WCAG's definition of contrast.

type RGB = readonly [number, number, number]

const white: RGB = [255, 255, 255]
const black: RGB = [0, 0, 0]
const dark: RGB = [13, 17, 22]

// What text in the accent stands on: the lightest and the darkest surface of each theme, as in app.css.
const surfaces: Record<'light' | 'dark', readonly RGB[]> = {
  light: [white, [241, 242, 240]],
  dark: [
    [19, 21, 23],
    [33, 37, 41],
  ],
}

/** Reads #rrggbb; null if it is anything else. */
export function parseHex(text: string): RGB | null {
  if (!/^#[0-9a-f]{6}$/i.test(text)) return null
  const n = Number.parseInt(text.slice(1), 16)
  return [n >> 16, (n >> 8) & 255, n & 255]
}

function hex(color: RGB): string {
  return '#' + color.map((c) => c.toString(16).padStart(2, '0')).join('')
}

function luminance(color: RGB): number {
  const [r, g, b] = color.map((c) => {
    const s = c / 255
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** The contrast of two colours, 1 to 21. */
export function contrast(a: RGB, b: RGB): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

function mix(a: RGB, b: RGB, share: number): RGB {
  return [0, 1, 2].map((i) => Math.round(a[i]! + (b[i]! - a[i]!) * share)) as unknown as RGB
}

// The colour nearest to the chosen one that reaches the contrast with all of the others.
function legible(color: RGB, against: readonly RGB[], towards: RGB, wanted: number): RGB {
  for (let share = 0; share < 1; share += 0.02) {
    const tried = mix(color, towards, share)
    if (against.every((surface) => contrast(tried, surface) >= wanted)) return tried
  }
  return towards
}

/** The accent's tokens for a theme; null for each means that app.css has the last word. */
export function accentTokens(accent: string | null, theme: 'light' | 'dark'): Record<string, string | null> {
  const color = accent === null ? null : parseHex(accent)
  if (color === null) return { '--accent': null, '--on-accent': null, '--accent-text': null, '--accent-soft': null }
  const ground = surfaces[theme][0]!
  const soft = mix(ground, color, theme === 'light' ? 0.1 : 0.22)
  const text = legible(color, [...surfaces[theme], soft], theme === 'light' ? black : white, 4.5)
  // A button must be seen on the page (3:1), and its words on the button.
  const fill = legible(color, [ground], theme === 'light' ? black : white, 3)
  const on = contrast(white, fill) < 4.5 && contrast(dark, fill) >= 4.5 ? dark : white
  return {
    '--accent': hex(on === white ? legible(fill, [white], black, 4.5) : fill),
    '--on-accent': hex(on),
    '--accent-text': hex(text),
    '--accent-soft': hex(soft),
  }
}
