import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accentTokens, contrast, parseHex } from './accent'

const surfaces = { light: ['#ffffff', '#f7f7f5', '#f1f2f0'], dark: ['#131517', '#191c1f', '#202427', '#212529'] } as const

test('every accent is legible in both themes', () => {
  const steps = ['00', '33', '66', '99', 'cc', 'ff']
  for (const r of steps) {
    for (const g of steps) {
      for (const b of steps) {
        for (const theme of ['light', 'dark'] as const) {
          const color = `#${r}${g}${b}`
          const tokens = accentTokens(color, theme)
          const rgb = (name: string) => parseHex(tokens[name]!)!
          for (const surface of [...surfaces[theme], tokens['--accent-soft']!]) {
            assert.ok(contrast(rgb('--accent-text'), parseHex(surface)!) >= 4.5, `${color} as text on ${surface}`)
          }
          assert.ok(contrast(rgb('--on-accent'), rgb('--accent')) >= 4.5, `text on ${color}, ${theme}`)
          assert.ok(contrast(rgb('--accent'), parseHex(surfaces[theme][0])!) >= 2.9, `${color} as a button, ${theme}`)
        }
      }
    }
  }
})

test('what is no colour changes nothing', () => {
  for (const text of [null, '', '#fff', 'red', '#12345g', 'url(x)', '#123456;color:red']) {
    assert.deepEqual(Object.values(accentTokens(text, 'light')), [null, null, null, null])
  }
})
