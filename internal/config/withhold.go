package config

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Withheld stands where a secret stood.
const Withheld = "left-out"

// Withhold returns the text of a configuration without the secrets that stand in it. Everything else, comments and
// variables included, is as it was. It is an error if that cannot be made sure of.
func Withhold(data []byte) ([]byte, error) {
	nodes, err := secretNodes(data)
	if err != nil {
		return nil, err
	}
	lines := strings.SplitAfter(string(data), "\n")
	for i := len(nodes) - 1; i >= 0; i-- { // from the back, so that places stay right
		n := nodes[i]
		if spelledOut(n) && n.Line >= 1 && n.Line <= len(lines) {
			line := lines[n.Line-1]
			at := min(max(n.Column-1, 0), len(line))
			lines[n.Line-1] = line[:at] + strings.Replace(line[at:], n.Value, Withheld, 1)
		}
	}
	text := []byte(strings.Join(lines, ""))
	nodes, err = secretNodes(text)
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if spelledOut(n) && n.Value != Withheld {
			return nil, errors.New("it holds a secret in a form that cannot be left out: write it on one line, or put it in a file")
		}
	}
	return text, nil
}

// secretNodes returns what stands under the keys of secrets, in the order of the file.
func secretNodes(data []byte) ([]*yaml.Node, error) {
	d := newDecoder("", func(string) (string, bool) { return "", true })
	if !d.decode(data, Default()) {
		return nil, errors.New("it cannot be read as YAML")
	}
	return d.secrets, nil
}

// spelledOut reports whether a secret stands there, and not only the names of variables.
func spelledOut(n *yaml.Node) bool {
	rest := n.Value
	for rest != "" {
		_, after, found := strings.Cut(rest, "}")
		if !strings.HasPrefix(rest, "${") || !found {
			return true
		}
		rest = after
	}
	return false
}
