package main

import (
	"math/big"
	"math/bits"
	"slices"
)

// factor returns the prime factors of n in rising order; none for 1.
func factor(n uint64) []uint64 {
	var found []uint64
	for _, p := range []uint64{2, 3, 5, 7, 11, 13} {
		for ; n%p == 0; n /= p {
			found = append(found, p)
		}
	}
	found = split(n, found)
	slices.Sort(found)
	return found
}

// split adds the prime factors of n to found.
func split(n uint64, found []uint64) []uint64 {
	switch {
	case n == 1:
		return found
	case new(big.Int).SetUint64(n).ProbablyPrime(0): // never wrong below 2^64
		return append(found, n)
	}
	d := divisor(n)
	return split(n/d, split(d, found))
}

// divisor returns a divisor of n other than 1 and n, which is composite and
// odd, by Pollard's rho method: in the sequence x → x²+c two numbers are alike
// modulo a divisor long before they are modulo n.
func divisor(n uint64) uint64 {
	for c := uint64(1); ; c++ {
		next := func(x uint64) uint64 { return addMod(mulMod(x, x, n), c, n) }
		slow, fast, d := uint64(2), uint64(2), uint64(1)
		for d == 1 {
			slow, fast = next(slow), next(next(fast))
			d = gcd(max(slow, fast)-min(slow, fast), n)
		}
		if d != n {
			return d
		}
	}
}

func mulMod(a, b, n uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return bits.Rem64(high, low, n)
}

func addMod(a, b, n uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	return bits.Rem64(carry, sum, n)
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
