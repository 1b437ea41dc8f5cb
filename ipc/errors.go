package ipc

import "errors"

// Rule names a rule of the protocol. docs/protocol.md, section "Errors", says
// what breaks each.
type Rule string

// The rules. The list is closed.
const (
	RuleHandshake = Rule("handshake")       // its messages, or what they announce
	RuleDeadline  = Rule("deadline")        // a handshake or a begun frame took too long
	RuleLength    = Rule("frame length")    // outside 1 to 65,535, or too short for a frame
	RuleTruncated = Rule("truncated frame") // the stream ended inside a frame
	RuleAuth      = Rule("authentication")  // forged, altered, replayed or reordered
	RuleHeader    = Rule("frame header")    // a type, flag or field that is not allowed
	RuleStream    = Rule("stream number")   // not the next, or none that is open
	RuleFragment  = Rule("fragment")        // empty, beyond its message's size, or of another size
	RuleMessage   = Rule("message size")    // above what was announced
	RuleCalls     = Rule("calls in flight") // more at once than was announced
	RuleCredit    = Rule("credit")          // overrun, or granted beyond the window
	RuleReply     = Rule("reply")           // to a call that was never made, or a second one
	RuleCancel    = Rule("cancel")          // of a call that was never made
	RuleFiles     = Rule("descriptors")     // unsolicited, miscounted or in the wrong direction
	RuleRekey     = Rule("rekey")           // without a frame since the last
)

// ProtocolError says that the peer broke a rule. It ends the connection.
type ProtocolError struct {
	Rule   Rule
	Detail string // for people; holds nothing that the peer chose but numbers
}

func (e *ProtocolError) Error() string {
	return "peer broke the rule of " + string(e.Rule) + ": " + e.Detail
}

// RemoteError is the error with which the peer's handler answered a call. Its
// text is the peer's claim: valid UTF-8 of at most 4 KiB, otherwise unchecked.
type RemoteError struct{ Text string }

func (e *RemoteError) Error() string { return e.Text }

// Errors of this end. Besides them a connection ends with io.EOF when the peer
// closed it, and with io.ErrUnexpectedEOF when the peer vanished.
var (
	ErrClosed   = errors.New("connection closed by this end")
	ErrStalled  = errors.New("peer does not read")               // no byte taken for Limits.Stall
	ErrIdle     = errors.New("nothing received for too long")    // for Limits.Idle
	ErrTooLarge = errors.New("message larger than peer accepts") // nothing was sent
)
