package cli

import (
	"io"
	"log/slog"

	"golang.org/x/term"
)

// logFlags say what is logged and how.
type logFlags struct {
	LogLevel  string `enum:"debug,info,warn,error" default:"info" env:"CALLBOARD_LOG_LEVEL" placeholder:"LEVEL" group:"Log:" help:"What is logged: debug, info, warn or error. Deliveries that succeed are at debug."`
	LogFormat string `enum:"auto,text,json" default:"auto" env:"CALLBOARD_LOG_FORMAT" placeholder:"FORMAT" group:"Log:" help:"text, json, or auto: text on a terminal, JSON otherwise."`
}

// logger writes to stderr, which leaves stdout to what a command prints.
func (f logFlags) logger(stderr io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(f.LogLevel)) // kong has seen to it; the zero level is info
	options := &slog.HandlerOptions{Level: level}
	if f.isText(stderr) {
		return slog.New(slog.NewTextHandler(stderr, options))
	}
	return slog.New(slog.NewJSONHandler(stderr, options))
}

// isText reports whether a person is to read the log.
func (f logFlags) isText(stderr io.Writer) bool {
	return f.LogFormat == "text" || f.LogFormat == "auto" && isTerminal(stderr)
}

// isTerminal reports whether somebody is likely to watch.
func isTerminal(w io.Writer) bool {
	file, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}
