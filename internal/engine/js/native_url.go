package js

// urlNatives parse addresses.
var urlNatives []nativeMember
