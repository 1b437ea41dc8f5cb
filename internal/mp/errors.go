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
	ErrHibernated = errors.New("mini-program is hibernated")    // and answers when it is resumed
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

// AskError is how a host refuses, or fails, a mini-program's request.
type AskError struct {
	Code    AskCode `json:"code" cbor:"1,keyasint"`
	Message string  `json:"message" cbor:"2,keyasint"`
}

func (e *AskError) Error() string { return e.Message }

// AskCode says what kind of error an AskError is: lower case letters and
// underscores. Methods may have further codes of their own.
type AskCode string

const (
	AskNotFound AskCode = "not_found"      // there is no such method, or not what it was asked for
	AskParams   AskCode = "invalid_params" // params are not what the method takes
	AskQuota    AskCode = "quota_exceeded" // more than the program may have
	AskDenied   AskCode = "not_allowed"    // the program was not granted this
	AskTooLarge AskCode = "too_large"      // params or a result above their limit
	AskAborted  AskCode = "aborted"        // nobody will answer any more
	AskFailed   AskCode = "failed"         // the host could not do it
)
