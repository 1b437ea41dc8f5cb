// Factors is a native mini-program: it serves one function to whoever calls it,
// writes to the log, and asks its host who it is.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

func main() {
	host, err := Open()
	if err != nil {
		fmt.Fprintln(os.Stderr, "factors:", err)
		os.Exit(1)
	}
	host.Handle("factors", factors)
	ended := make(chan error, 1)
	go func() { ended <- host.Serve() }()

	// The host answers while Serve reads.
	var app struct{ ID string }
	if err := host.Call("app", nil, &app); err != nil {
		fmt.Fprintln(os.Stderr, "factors: cannot ask who this is:", err)
		os.Exit(1)
	}
	host.Log("info", "ready as "+app.ID)
	if err := <-ended; err != nil {
		fmt.Fprintln(os.Stderr, "factors:", err)
		os.Exit(1)
	}
}

// factors is the function that others call.
func factors(params json.RawMessage) (any, error) {
	var input struct{ Number json.Number } // takes strings, too
	if err := json.Unmarshal(params, &input); err != nil {
		return nil, &Error{Code: InvalidParams, Message: `the input must be an object such as {"number": "360"}`}
	}
	n, err := strconv.ParseUint(input.Number.String(), 10, 64)
	if err != nil || n == 0 {
		return nil, &Error{Code: InvalidParams, Message: "number must be a whole number from 1 to 18446744073709551615"}
	}
	result := struct {
		Factors []string `json:"factors"`
		Prime   bool     `json:"prime"`
	}{Factors: []string{}}
	for _, f := range factor(n) {
		result.Factors = append(result.Factors, strconv.FormatUint(f, 10))
	}
	result.Prime = len(result.Factors) == 1
	return result, nil
}
