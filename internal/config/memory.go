package config

import (
	"errors"
	"strconv"
	"strings"
)

// Memory is a number of bytes; 0 is no limit.
type Memory int64

// memoryUnits are the units that a size is written in, the largest first.
var memoryUnits = [...]struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}}

// String returns the size as it is written in a configuration.
func (m Memory) String() string {
	for _, unit := range memoryUnits {
		if m > 0 && int64(m)%unit.bytes == 0 {
			return strconv.FormatInt(int64(m)/unit.bytes, 10) + unit.name
		}
	}
	return "off"
}

// MarshalText returns String.
func (m Memory) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a whole number of MiB or GiB, "512MiB", or "off".
func (m *Memory) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*m = 0
		return nil
	}
	for _, unit := range memoryUnits {
		number, ok := strings.CutSuffix(string(text), unit.name)
		n, err := strconv.ParseInt(number, 10, 32)
		if ok && err == nil && isDigits(number) && n > 0 {
			*m = Memory(n * unit.bytes)
			return nil
		}
	}
	return errors.New("must be a size such as 512MiB or 2GiB, or off")
}
