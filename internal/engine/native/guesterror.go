package native

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// guestError reads the member error of an answer. Its data may have a name, a
// message and a stack, as errors of JavaScript have them.
func guestError(call string, b json.RawMessage) error {
	var e struct {
		Code    json.Number     `json:"code"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if json.Unmarshal(b, &e) != nil {
		return &mp.GuestError{Name: "Error", Message: "the program failed, and its error is none of JSON-RPC's"}
	}
	if e.Code == "-32601" {
		return notFound(call)
	}
	var data struct{ Name, Message, Stack string }
	if json.Unmarshal(e.Data, &data) != nil { // data may be anything
		data.Name, data.Message, data.Stack = "", "", ""
	}
	return &mp.GuestError{
		Name:    cut(or(data.Name, "Error"), wire.MaxName),
		Message: cut(or(data.Message, e.Message), wire.MaxErrText),
		Stack:   cut(data.Stack, wire.MaxErrText),
	}
}

func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

// cut shortens s to limit bytes, at the end of a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return strings.Clone(s[:limit])
}
