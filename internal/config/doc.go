// Package config reads tallyman.yaml.
//
// A configuration is read once, strictly, and all that is wrong with it is
// said at once: unknown and repeated keys, missing values, durations without a
// unit, combinations that make no sense, variables that are not set. Each
// problem names file, line, column and key, and says what to do.
//
// What a command does not use is not demanded of its configuration: Load takes
// the sections that are needed. What is there must be well formed all the same.
//
// The package also owns what follows from the configuration alone: which file
// names are day files (MatchName) and which instants a business date spans
// (Calendar).
package config
