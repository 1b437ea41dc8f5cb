package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// printable makes text that a program or a file chose safe for a terminal. It
// is the only way by which such text reaches one.
func printable(text string, multiline bool) string { return control.Printable(text, multiline) }

// printableJSON checks JSON, takes the white space out, and writes every
// character that a terminal might obey as an escape. Its meaning stays.
func printableJSON(b []byte) ([]byte, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, b); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	var out bytes.Buffer
	for rest := compact.Bytes(); len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == ' ' || unicode.IsPrint(r) {
			out.WriteRune(r) // also for a byte that is not UTF-8: U+FFFD
		} else {
			writeEscape(&out, r)
		}
		rest = rest[size:]
	}
	return out.Bytes(), nil
}

// writeEscape writes a rune as JSON does (RFC 8259, section 7).
func writeEscape(b *bytes.Buffer, r rune) {
	if r1, r2 := utf16.EncodeRune(r); r1 != unicode.ReplacementChar {
		fmt.Fprintf(b, `\u%04x\u%04x`, r1, r2)
		return
	}
	fmt.Fprintf(b, `\u%04x`, r)
}

// printGuest prints the stack of what a program threw, if err holds one and
// has not said it.
func printGuest(w io.Writer, err error) {
	var guest *mp.GuestError
	if errors.As(err, &guest) && guest.Stack != "" {
		fmt.Fprintln(w, printable(guest.Stack, true))
	}
}
