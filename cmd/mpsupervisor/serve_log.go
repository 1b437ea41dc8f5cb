package main

import (
	"io"
	"log/slog"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
)

// newLog makes the daemon's log. Both formats quote what a program chose, so
// that no line can be forged.
func newLog(w io.Writer, c config.Log, level *slog.LevelVar) *slog.Logger {
	setLevel(level, c.Level)
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func setLevel(level *slog.LevelVar, name string) {
	var l slog.Level
	if l.UnmarshalText([]byte(name)) == nil { // the configuration was checked
		level.Set(l)
	}
}
