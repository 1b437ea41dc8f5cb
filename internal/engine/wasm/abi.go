package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// hostModule is the name of the import module. docs/wasm.md specifies it.
const hostModule = "mp"

// exchange is what passes between the guest and its host in one call. The
// guest's goroutine alone touches it while the guest runs.
type exchange struct {
	input    []byte
	output   []byte
	tooLarge int64 // bytes of an output above its limit
	failed   bool  // error was called
	message  string
	answer   []byte // to the latest request
}

var i32, i64 = api.ValueTypeI32, api.ValueTypeI64

// imports are the functions of the module "mp".
var imports = []struct {
	name            string
	params, results []api.ValueType
	do              func(e *Engine, memory api.Memory, stack []uint64)
}{
	{"input_size", nil, []api.ValueType{i32}, (*Engine).inputSize},
	{"input", []api.ValueType{i32}, nil, (*Engine).input},
	{"output", []api.ValueType{i32, i32}, nil, (*Engine).output},
	{"error", []api.ValueType{i32, i32}, nil, (*Engine).fail},
	{"request", []api.ValueType{i32, i32, i32, i32}, []api.ValueType{i64}, (*Engine).request},
	{"answer", []api.ValueType{i32}, nil, (*Engine).answer},
	{"log", []api.ValueType{i32, i32, i32}, nil, (*Engine).log},
}

// provide makes the module.
func (e *Engine) provide(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder(hostModule)
	for _, f := range imports {
		do := f.do
		call := api.GoModuleFunc(func(_ context.Context, m api.Module, stack []uint64) { do(e, m.Memory(), stack) })
		b.NewFunctionBuilder().WithGoModuleFunction(call, f.params, f.results).WithName(f.name).Export(f.name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

// read gives a part of the guest's memory, which is the guest's: it is copied
// before the guest runs on.
func read(memory api.Memory, pointer, size uint64) []byte {
	if memory == nil {
		panic(trap("the module has no memory"))
	}
	b, ok := memory.Read(uint32(pointer), uint32(size))
	if !ok {
		panic(trap(fmt.Sprintf("out of bounds memory access: %d bytes at %d", uint32(size), uint32(pointer))))
	}
	return b
}

// write copies bytes to the guest.
func write(memory api.Memory, pointer uint64, b []byte) {
	copy(read(memory, pointer, uint64(len(b))), b)
}

// inputSize is input_size() → i32.
func (e *Engine) inputSize(_ api.Memory, stack []uint64) { stack[0] = uint64(len(e.now.input)) }

// input is input(pointer).
func (e *Engine) input(memory api.Memory, stack []uint64) { write(memory, stack[0], e.now.input) }

// output is output(pointer, size). The latest one counts.
func (e *Engine) output(memory api.Memory, stack []uint64) {
	b := read(memory, stack[0], stack[1])
	e.now.output, e.now.tooLarge = nil, 0
	if len(b) > e.program.Result {
		e.now.tooLarge = int64(len(b))
		return
	}
	e.now.output = append([]byte{}, b...)
}

// fail is error(pointer, size): the call has failed, and that is the message.
func (e *Engine) fail(memory api.Memory, stack []uint64) {
	b := read(memory, stack[0], stack[1])
	e.now.failed = true
	e.now.message = cut(string(b[:min(len(b), wire.MaxErrText)]), wire.MaxErrText)
}

// levels are those of the console, in the order of their numbers.
var levels = []string{"debug", "info", "warn", "error"}

// log is log(level, pointer, size).
func (e *Engine) log(memory api.Memory, stack []uint64) {
	b := read(memory, stack[1], stack[2])
	level := min(uint32(stack[0]), uint32(len(levels)-1))
	e.host.Log(levels[level], cut(string(b[:min(len(b), maxLine)]), maxLine))
}

// request is request(method, size, params, size) → i64: the size of the answer,
// or less than 0 for an error, whose JSON has as many bytes.
func (e *Engine) request(memory api.Memory, stack []uint64) {
	method, params := read(memory, stack[0], stack[1]), read(memory, stack[2], stack[3])
	result, err := e.ask(method, params)
	if err == nil {
		e.now.answer = result
		stack[0] = uint64(len(result))
		return
	}
	e.now.answer = quoted(askError(err))
	stack[0] = uint64(-int64(len(e.now.answer)))
}

// answer is answer(pointer).
func (e *Engine) answer(memory api.Memory, stack []uint64) { write(memory, stack[0], e.now.answer) }

// ask makes a request and waits for its answer. The guest waits with it, and its
// time goes on.
func (e *Engine) ask(method, params []byte) ([]byte, error) {
	switch {
	case len(method) == 0 || len(method) > wire.MaxName || !utf8.Valid(method):
		return nil, &mp.AskError{Code: mp.AskNotFound, Message: "no such method"}
	case len(params) > wire.MaxInput:
		return nil, &mp.AskError{Code: mp.AskTooLarge, Message: fmt.Sprintf("params of %d bytes; the limit is %d", len(params), wire.MaxInput)}
	case len(params) > 0 && !(utf8.Valid(params) && json.Valid(params)):
		return nil, &mp.AskError{Code: mp.AskParams, Message: "params are not JSON"}
	}
	type answer struct {
		result []byte
		err    error
	}
	c := make(chan answer, 1)
	guest := engine.Guest{Program: &e.program, Host: e.host}
	engine.Ask(e.life, guest, string(method), append([]byte(nil), params...), func(result []byte, err error) { c <- answer{result, err} })
	select {
	case a := <-c:
		return a.result, a.err
	case <-e.life.Done():
		return nil, &mp.AskError{Code: mp.AskAborted, Message: "the program is being ended"}
	}
}

// askError is the error as the guest gets it.
func askError(err error) *mp.AskError {
	var ask *mp.AskError
	if errors.As(err, &ask) {
		return ask
	}
	return &mp.AskError{Code: mp.AskFailed, Message: err.Error()}
}

// quoted is JSON of what can always be JSON.
func quoted(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("bug: " + err.Error())
	}
	return b
}
