package demo

import (
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// shownType is the event type of the message that is shown as each dialect has it.
const shownType = "session.joined"

// sample is one message as the receivers of one dialect got it.
type sample struct {
	dialect    string
	body       string // "" = the dialect has no word for the event type, or nothing came
	translated bool
}

// samples has one for each dialect, in the receivers' order: the same message in all.
func (s *stage) samples(all []messageOut) []sample {
	for i := range slices.Backward(all) { // the earliest comes last
		if all[i].EventType != shownType {
			continue
		}
		if samples, whole := s.sample(all[i].Payload.Timestamp.Unix()); whole {
			return samples
		}
	}
	return nil
}

// sample has what happened in a second in each dialect. It is whole if each dialect that has a word for it tells of one
// such thing only, so that it is the same message.
func (s *stage) sample(second int64) (samples []sample, whole bool) {
	seen := map[string]bool{}
	for i, t := range s.targets {
		dialect := t.speech.dialect
		if seen[dialect] {
			continue
		}
		seen[dialect] = true
		one := sample{dialect: dialect}
		if said, ok := s.words.of(dialect, shownType); ok {
			what := happening{said.text, second}
			one.body, one.translated = s.ledger.body(i, what), said.translated
			if one.body == "" || len(s.ledger.takings(i)[what]) != 1 {
				return nil, false
			}
		}
		samples = append(samples, one)
	}
	return samples, true
}

// sampleWidth is how much of a body is shown, in characters: lines fit into 100.
const sampleWidth = 83

// printSamples shows that one message reads differently to each receiver.
func printSamples(out io.Writer, all []sample) {
	_, _ = fmt.Fprint(out, "\nSomebody joined a session: one message, one body for each dialect (≈: the word of something close)\n\n")
	for _, s := range all {
		mark, text := " ", cut(s.body, sampleWidth)
		if s.translated {
			mark = "≈"
		}
		if s.body == "" {
			text = "(nothing: it has no word for " + shownType + ")"
		}
		_, _ = fmt.Fprintf(out, "%s %-12s  %s\n", mark, s.dialect, text)
	}
}

// cut shortens a text to so many characters.
func cut(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width]) + "…"
}
