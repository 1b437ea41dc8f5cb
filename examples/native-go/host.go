package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
)

// Host is the program's connection to its host: JSON-RPC 2.0, one message a
// line, both ways.
type Host struct {
	file    *os.File
	methods map[string]Method

	mu      sync.Mutex // guards what is below, and keeps lines whole
	last    int
	waiting map[int]chan message
}

// Method answers one call. Its error is what the caller gets.
type Method func(params json.RawMessage) (result any, err error)

// Error is an error of JSON-RPC.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// Codes of errors (JSON-RPC 2.0, section 5.1).
const (
	NotFound      = -32601
	InvalidParams = -32602
	Failed        = -32000
)

// message is a request, a notification or an answer.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *Error          `json:"error,omitempty"`
}

// maxLine is longer than any line that a host sends, in bytes.
const maxLine = 2 << 20

// Open finds the host at the descriptor that MP_HOST_FD names.
func Open() (*Host, error) {
	fd, err := strconv.Atoi(os.Getenv("MP_HOST_FD"))
	if err != nil {
		return nil, errors.New("MP_HOST_FD names no descriptor: this program is to be run by mpsupervisor")
	}
	return &Host{
		file:    os.NewFile(uintptr(fd), "host"),
		methods: map[string]Method{},
		waiting: map[int]chan message{},
	}, nil
}

// Handle has calls of name answered by m. It must come before Serve.
func (h *Host) Handle(name string, m Method) { h.methods[name] = m }

// Serve answers calls until the host closes the connection.
func (h *Host) Serve() error {
	lines := bufio.NewScanner(h.file)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var m message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return fmt.Errorf("cannot read what the host says: %w", err)
		}
		if m.Method != "" {
			go h.answer(m)
		} else {
			h.deliver(m)
		}
	}
	return lines.Err()
}

// answer answers a call; a notification has no answer.
func (h *Host) answer(m message) {
	reply := message{ID: m.ID}
	if f, ok := h.methods[m.Method]; ok {
		reply.Result, reply.Error = result(f(m.Params))
	} else {
		reply.Error = &Error{NotFound, "there is no function " + strconv.Quote(m.Method)}
	}
	if m.ID != nil {
		h.send(reply)
	}
}

func result(v any, err error) (json.RawMessage, *Error) {
	var b []byte
	if err == nil {
		b, err = json.Marshal(v)
	}
	var own *Error
	switch {
	case err == nil:
		return b, nil
	case errors.As(err, &own):
		return nil, own
	}
	return nil, &Error{Failed, err.Error()}
}

// deliver hands an answer to who waits for it.
func (h *Host) deliver(m message) {
	id, _ := strconv.Atoi(string(m.ID))
	h.mu.Lock()
	defer h.mu.Unlock()
	if c, ok := h.waiting[id]; ok {
		delete(h.waiting, id)
		c <- m
	}
}

// Call asks the host. Serve must be running.
func (h *Host) Call(method string, params, result any) error {
	p, err := json.Marshal(params)
	if err != nil {
		return err
	}
	id, c := h.expect()
	if err := h.send(message{ID: json.RawMessage(strconv.Itoa(id)), Method: method, Params: orNone(p)}); err != nil {
		return err
	}
	m := <-c
	if m.Error != nil {
		return m.Error
	}
	return json.Unmarshal(m.Result, result)
}

func (h *Host) expect() (int, chan message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	c := make(chan message, 1)
	h.waiting[h.last] = c
	return h.last, c
}

// Log writes a line to the program's log. Level is debug, info, warn or error.
// Nobody answers; what a program prints gets there as well.
func (h *Host) Log(level, text string) error {
	p, err := json.Marshal(map[string]string{"level": level, "text": text})
	if err != nil {
		return err
	}
	return h.send(message{Method: "log", Params: p})
}

func (h *Host) send(m message) error {
	m.Version = "2.0"
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err = io.WriteString(h.file, string(b)+"\n")
	return err
}

// orNone leaves params out that are null: JSON-RPC has objects and arrays.
func orNone(params []byte) json.RawMessage {
	if string(params) == "null" {
		return nil
	}
	return params
}
