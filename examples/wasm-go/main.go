//go:build wasip1

// Command wasm-go checks and formats bank account numbers as a WebAssembly
// mini-program.
package main

import "github.com/mpsupervisor/mpsupervisor/sdk/go/mp"

// Account is the input of check.
type Account struct {
	IBAN string `json:"iban"`
}

// Checked is its result. Reason says why the number is not valid.
type Checked struct {
	Valid     bool   `json:"valid"`
	Reason    string `json:"reason,omitempty"`
	Country   string `json:"country,omitempty"`
	Formatted string `json:"formatted,omitempty"`
}

//go:wasmexport check
func check() int32 {
	return mp.Serve(func(in Account) (Checked, error) {
		number, err := parse(in.IBAN)
		if err != nil {
			return Checked{Reason: err.Error()}, nil
		}
		return Checked{Valid: true, Country: number.country(), Formatted: number.String()}, nil
	})
}

// Host is what the host says of this program.
type Host struct {
	ID string `json:"id"`
}

//go:wasmexport about
func about() int32 {
	return mp.Serve(func(struct{}) (Host, error) {
		var h Host
		err := mp.Request("app", nil, &h)
		mp.Log(mp.Info, "the host knows this program as %s", h.ID)
		return h, err
	})
}

func main() {}
