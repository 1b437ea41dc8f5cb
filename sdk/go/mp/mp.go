//go:build wasip1

package mp

import (
	"encoding/json"
	"fmt"
)

// Statuses of an exported function.
const (
	ok     = 0
	failed = 1
)

// Serve runs f on the input of the call under way, and hands its result, or its
// error's text, to the host. What it returns is what the exported function
// returns. A call without an input leaves In as it is made.
func Serve[In, Out any](f func(In) (Out, error)) int32 {
	out, err := serve(f)
	if err != nil {
		text := err.Error()
		fail(atText(text), int32(len(text)))
		return failed
	}
	output(at(out), int32(len(out)))
	return ok
}

func serve[In, Out any](f func(In) (Out, error)) ([]byte, error) {
	var in In
	if b := readInput(); len(b) > 0 {
		if err := json.Unmarshal(b, &in); err != nil {
			return nil, fmt.Errorf("the input does not fit: %w", err)
		}
	}
	out, err := f(in)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

func readInput() []byte {
	b := make([]byte, inputSize())
	if len(b) > 0 {
		input(at(b))
	}
	return b
}

// Error is the host's refusal of a request.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// Request asks the host, and waits for its answer, which is decoded into result
// unless that is nil. Params is encoded as JSON; nil stands for none. A refusal
// is an *Error.
func Request(method string, params, result any) error {
	b, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("cannot encode the params of %s: %w", method, err)
	}
	n := request(atText(method), int32(len(method)), at(b), int32(len(b)))
	if n < 0 {
		return refusal(readAnswer(-n))
	}
	b = readAnswer(n)
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(b, result); err != nil {
		return fmt.Errorf("cannot decode the answer to %s: %w", method, err)
	}
	return nil
}

func readAnswer(size int64) []byte {
	b := make([]byte, size)
	if size > 0 {
		answer(at(b))
	}
	return b
}

func refusal(b []byte) error {
	e := &Error{}
	if err := json.Unmarshal(b, e); err != nil {
		return fmt.Errorf("cannot decode the host's refusal: %w", err)
	}
	return e
}

// Level is how much a line of the log matters.
type Level int32

// The levels.
const (
	Debug Level = iota
	Info
	Warn
	Failure
)

// Log writes a line to the program's log. Standard output and standard error go
// there as well, line by line, as Info and Failure.
func Log(level Level, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	log(int32(level), atText(text), int32(len(text)))
}
