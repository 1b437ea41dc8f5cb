package main

import "strings"

// key is what a key means, whatever the bytes are that a terminal sends for it.
type key string

// The keys that are not their own letter.
const (
	keyUp     key = "up"
	keyDown   key = "down"
	keyPageUp key = "page up"
	keyPageDn key = "page down"
	keyHome   key = "home"
	keyEnd    key = "end"
	keyEscape key = "escape"
	keyCtrlC  key = "ctrl-c"
	keyCtrlL  key = "ctrl-l"
	keyCtrlZ  key = "ctrl-z"
)

// sequences are what terminals send for keys without a letter; the longest
// that fits counts.
var sequences = []struct {
	bytes string
	key   key
}{
	{"\x1b[A", keyUp}, {"\x1bOA", keyUp}, {"\x1b[B", keyDown}, {"\x1bOB", keyDown},
	{"\x1b[5~", keyPageUp}, {"\x1b[6~", keyPageDn},
	{"\x1b[H", keyHome}, {"\x1bOH", keyHome}, {"\x1b[1~", keyHome},
	{"\x1b[F", keyEnd}, {"\x1bOF", keyEnd}, {"\x1b[4~", keyEnd},
	{"\x03", keyCtrlC}, {"\x0c", keyCtrlL}, {"\x1a", keyCtrlZ},
}

// readKeys splits what was read from a terminal into keys. A sequence that is
// not known is one key that nothing knows.
func readKeys(b []byte) (keys []key) {
	for text := string(b); text != ""; {
		k, n := readKey(text)
		keys = append(keys, k)
		text = text[n:]
	}
	return keys
}

func readKey(text string) (key, int) {
	for _, s := range sequences {
		if strings.HasPrefix(text, s.bytes) {
			return s.key, len(s.bytes)
		}
	}
	if text[0] != '\x1b' {
		return key(text[:1]), 1
	}
	if len(text) == 1 {
		return keyEscape, 1
	}
	return "unknown", sequenceLength(text)
}

// sequenceLength is the length of an escape sequence: after ESC [ or ESC O it
// goes on to a byte from 0x40 to 0x7e (ECMA-48, section 5.4).
func sequenceLength(text string) int {
	if text[1] != '[' && text[1] != 'O' {
		return 2
	}
	for i := 2; i < len(text); i++ {
		if text[i] >= 0x40 && text[i] <= 0x7e {
			return i + 1
		}
	}
	return len(text)
}
