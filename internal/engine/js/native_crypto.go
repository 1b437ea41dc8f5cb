package js

// cryptoNatives are Web Cryptography's algorithms.
var cryptoNatives []nativeMember
