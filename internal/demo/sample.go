package demo

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// sample is the first message of the stream as the receivers of one dialect got it.
type sample struct {
	dialect    string
	eventType  string
	body       string // "" = the dialect has no word for the event type, or nothing came
	translated bool
}

// samples has one for each dialect, in the receivers' order.
func (s *stage) samples() []sample {
	var all []sample
	seen := map[string]bool{}
	for i, t := range s.targets {
		if seen[t.speech.dialect] {
			continue
		}
		seen[t.speech.dialect] = true
		all = append(all, s.sample(i))
	}
	return all
}

func (s *stage) sample(receiver int) sample {
	dialect, eventType := s.targets[receiver].speech.dialect, kinds[0].name
	said, _ := s.words.of(dialect, eventType)
	one := sample{dialect: dialect, eventType: eventType, translated: said.translated}
	heard := s.ledger.hearings(dialect, s.words)
	if said.text != "" && len(heard) > 0 {
		taken, _ := s.ledger.takings(receiver)
		one.body = string(taken[heard[0].happening].body) // the dialect says the first message, so this is it
	}
	return one
}

// sampleWidth is how much of a body is shown, in characters: lines fit into 100.
const sampleWidth = 83

// printSamples shows that one message reads differently to each receiver.
func printSamples(out io.Writer, all []sample) {
	_, _ = fmt.Fprint(out, "\nJane Smith joined a session: one message, one body for each dialect (≈: the word of something close)\n\n")
	for _, s := range all {
		mark, text := " ", cut(s.body, sampleWidth)
		if s.translated {
			mark = "≈"
		}
		if s.body == "" {
			text = "(nothing: it has no word for " + s.eventType + ")"
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
