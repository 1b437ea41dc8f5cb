package native

import (
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// The error codes of JSON-RPC 2.0, section 5.1.
const (
	codeParse    = -32700 // not JSON
	codeInvalid  = -32600 // JSON, and neither a request nor an answer
	codeMethod   = -32601 // there is no such method
	codeParams   = -32602
	codeInternal = -32603
	codeRefused  = -32000 // the host does not do it; the code that it gives is in the member data
)

// rpcError is the member error of an answer.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// askData is the member data of an error that the host answered with.
type askData struct {
	Code mp.AskCode `json:"code"`
}

// message is one line of the program's. Members that are absent are nil.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  *string         `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

// maxID bounds an identifier of the program's, in bytes of JSON: it is kept and
// sent back as it came.
const maxID = 256

var (
	errNotJSON = errors.New("a line is not JSON")
	errBatch   = errors.New("batches of requests are not taken")
	errForm    = errors.New("neither a request nor an answer of JSON-RPC 2.0")
	errID      = errors.New("the id is neither a number, nor a string, nor null, or it is too long")
)

// parse reads one line. The error is errNotJSON for one that breaks the bridge,
// and for the others what the program is told. Then m may hold the request's id.
func parse(line []byte) (m message, err error) {
	var syntax *json.SyntaxError
	err = json.Unmarshal(line, &m)
	switch {
	case !utf8.Valid(line), errors.As(err, &syntax):
		return m, errNotJSON
	case isArray(line):
		return m, errBatch
	case m.ID != nil && !validID(m.ID):
		m.ID = nil
		return m, errID
	case err != nil, m.Version != "2.0", !m.isRequest() && !m.isAnswer():
		if m.Method == nil {
			m.ID = nil // it could be one of ours
		}
		return m, errForm
	}
	return m, nil
}

func (m *message) isRequest() bool {
	return m.Method != nil && m.Result == nil && m.Error == nil
}

// isAnswer leaves it to the call that is answered what it makes of the rest.
func (m *message) isAnswer() bool { return m.Method == nil && m.ID != nil }

func isArray(line []byte) bool {
	for _, c := range line {
		switch c {
		case ' ', '\t', '\r':
		default:
			return c == '['
		}
	}
	return false
}

func validID(id json.RawMessage) bool {
	switch c := id[0]; {
	case len(id) > maxID:
		return false
	case c == '"', c == '-', c >= '0' && c <= '9':
		return true
	}
	return string(id) == "null"
}

// The lines that are sent are put together by hand: what goes into them is JSON
// on one line already, and identifiers keep their form.
const version = `{"jsonrpc":"2.0","id":`

// answer is the line that answers a request.
func answer(id, result json.RawMessage, err error) []byte {
	if id == nil {
		id = json.RawMessage("null")
	}
	b := append([]byte(version), id...)
	if err == nil {
		b = append(append(b, `,"result":`...), result...)
	} else {
		b = append(append(b, `,"error":`...), quoted(errorOf(err))...)
	}
	return append(b, "}\n"...)
}

// request is the line that calls a function of the program's. JSON-RPC's
// params are an object or an array: any other input is the one element of an
// array.
func request(id uint64, name string, input []byte) []byte {
	b := strconv.AppendUint([]byte(version), id, 10)
	b = append(append(b, `,"method":`...), quoted(name)...)
	switch {
	case len(input) == 0:
	case input[0] == '{' || input[0] == '[':
		b = append(append(b, `,"params":`...), input...)
	default:
		b = append(append(append(b, `,"params":[`...), input...), ']')
	}
	return append(b, "}\n"...)
}

// notification is a line that wants no answer. Params are a JSON object.
func notification(name string, params []byte) []byte {
	b := append([]byte(`{"jsonrpc":"2.0","method":`), quoted(name)...)
	b = append(append(b, `,"params":`...), params...)
	return append(b, "}\n"...)
}

// quoted is JSON of what can always be JSON.
func quoted(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("bug: " + err.Error())
	}
	return b
}

func errorOf(err error) rpcError {
	var ask *mp.AskError
	if errors.As(err, &ask) {
		return rpcError{codeOfAsk(ask.Code), ask.Message, askData{ask.Code}}
	}
	return rpcError{Code: codeOf(err), Message: err.Error()}
}

func codeOfAsk(c mp.AskCode) int {
	switch c {
	case mp.AskNotFound:
		return codeMethod
	case mp.AskParams:
		return codeParams
	}
	return codeRefused
}

func codeOf(err error) int {
	switch err {
	case errNotJSON, errLongLine:
		return codeParse
	case errBatch, errForm, errID:
		return codeInvalid
	}
	return codeInternal
}
