// Package mp lets a Go program run as a WebAssembly mini-program: it is called
// by name with JSON, answers with JSON, and asks its host.
//
// A function that the host is to call is exported, and handed to Serve:
//
//	//go:wasmexport greet
//	func greet() int32 {
//		return mp.Serve(func(who struct{ Name string }) (string, error) {
//			return "hello " + who.Name, nil
//		})
//	}
//
//	func main() {}
//
// Build it as a reactor, a module that stays after its initialisation:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o app.wasm .
//
// A module that is built without -buildmode=c-shared is a command: its main
// runs once, and nothing of it can be called.
//
// The host runs one function of a program at a time. Do not start goroutines
// that are to go on when an exported function has returned: nothing runs then.
package mp
