package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker (see the Makefile) and never written.
var version string

// versionInfo is what `tallyman version --json` says.
type versionInfo struct {
	Version string `json:"version"`
	// Commit is empty if the build did not know it.
	Commit   string `json:"commit"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print version, commit and Go version",
		Example: "  tallyman version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			info := readVersion()
			return a.answer(info, info.text())
		},
	}
}

func readVersion() versionInfo {
	info := versionInfo{Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = &debug.BuildInfo{}
	}
	if info.Version == "" {
		info.Version = build.Main.Version
	}
	if info.Version == "" || info.Version == "(devel)" {
		info.Version = "development"
	}
	for _, setting := range build.Settings {
		switch setting.Key {
		case "vcs.revision":
			info.Commit = setting.Value
		case "vcs.modified":
			info.Modified = setting.Value == "true"
		}
	}
	return info
}

func (v versionInfo) text() string {
	commit := ""
	if v.Commit != "" {
		commit = "commit " + v.Commit
		if v.Modified {
			commit += " with changes"
		}
		commit += ", "
	}
	return fmt.Sprintf("tallyman %s (%s%s %s/%s)\n", v.Version, commit, v.Go, v.OS, v.Arch)
}
