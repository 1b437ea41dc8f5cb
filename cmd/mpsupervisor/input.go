package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// readInput gets a call's argument: the text itself, a file's content for
// "@name", or standard input for "-". It copies bytes and looks at none.
func (a *app) readInput(text string) ([]byte, error) {
	switch {
	case text == "-":
		return readBounded(a.in, "standard input")
	case strings.HasPrefix(text, "@"):
		f, err := os.Open(text[1:])
		if err != nil {
			return nil, fmt.Errorf("cannot read the input: %w", err)
		}
		defer f.Close()
		return readBounded(f, text[1:])
	}
	return []byte(text), nil
}

func readBounded(r io.Reader, name string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, wire.MaxInput+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the input from %s: %w", name, err)
	}
	return b, nil
}

// checkInput says what is wrong with a call's argument, and where.
func checkInput(b []byte) error {
	if len(b) > wire.MaxInput {
		return fmt.Errorf("cannot use the input: it is longer than %d bytes", wire.MaxInput)
	}
	var v json.RawMessage
	err := json.Unmarshal(b, &v)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return fmt.Errorf("cannot use the input: not JSON: %w at byte %d of %.60q", err, syntax.Offset, b)
	}
	return fmt.Errorf("cannot use the input: not JSON: %w", err)
}
