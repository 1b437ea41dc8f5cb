package mp

import "errors"

// Errors that callers branch on. Wrap them with what was being done.
var (
	ErrNotFound   = errors.New("not found")                     // no such instance, function or package
	ErrBadPackage = errors.New("package cannot be run")         // manifest, files or entry are wrong
	ErrTooLarge   = errors.New("too large")                     // a message, result or package above its limit
	ErrEnded      = errors.New("mini-program has ended")        // and so cannot answer
	ErrMissing    = errors.New("required lock missing")         // the host lacks a lock; the start is refused
	ErrFrozen     = errors.New("mini-program is frozen")        // and answers when it is thawed
	ErrQuarantine = errors.New("mini-program is in quarantine") // it crashed too often to be started again now
)

// GuestError is what a mini-program threw: its name, message and stack, with
// the package's own files and lines.
type GuestError struct {
	Name    string `json:"name" cbor:"1,keyasint"`
	Message string `json:"message" cbor:"2,keyasint"`
	Stack   string `json:"stack,omitempty" cbor:"3,keyasint,omitempty"`
}

func (e *GuestError) Error() string {
	if e.Name == "" {
		return e.Message
	}
	return e.Name + ": " + e.Message
}
