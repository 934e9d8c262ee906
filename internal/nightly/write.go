package nightly

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"

	"tallyman/formats"
	"tallyman/internal/durable"
	"tallyman/internal/overview"
	"tallyman/reconciler"
)

// assertionsFile is the one file of a report that only one from the ledger has.
const assertionsFile = "assertions.csv"

// balancesAtOnce is how many customers of balances.csv one worker writes.
const balancesAtOnce = 2048

func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the report's directory: %w", err)
	}
	return nil
}

// flusher is a writer of one report file.
type flusher interface{ Flush() error }

// fileWriter writes a whole file, which is there in full or not at all.
type fileWriter func(path string, write func(io.Writer) error) error

// fileWriter returns how the files of the report are written. One that comes from files alone can be made again of them, so
// nobody waits until a gigabyte of payments is on the disk.
func (q ReportRequest) fileWriter() fileWriter {
	if q.Expected != "" {
		return durable.WriteAgain
	}
	return durable.WriteFile
}

// writeReport writes a whole report file.
func writeReport[W flusher](file fileWriter, path string, begin func(io.Writer) (W, error), write func(W) error) error {
	return file(path, func(w io.Writer) error { return fillReport(w, begin, write) })
}

func fillReport[W flusher](w io.Writer, begin func(io.Writer) (W, error), write func(W) error) error {
	rows, err := begin(w)
	if err != nil {
		return err
	}
	if err := write(rows); err != nil {
		return err
	}
	return rows.Flush()
}

// writeBalances writes balances.csv, and adds its rows up as they are printed.
func (report *Report) writeBalances(result *reconciler.Result, ageing formats.Ageing) error {
	report.balances = overview.NewBalances()
	return report.file(filepath.Join(report.Dir, "balances.csv"), func(w io.Writer) error {
		header, err := formats.NewBalanceWriter(w)
		if err != nil {
			return err
		}
		if err := header.Flush(); err != nil {
			return err
		}
		write := func(w io.Writer, piece iter.Seq[formats.BalanceRow], sums *overview.BalanceRows) (*overview.BalanceRows, error) {
			if sums == nil {
				sums = &overview.BalanceRows{}
			}
			sums.Reset()
			rows := formats.ContinueBalances(w, ageing)
			for row := range piece {
				if err := errors.Join(rows.Write(row), sums.AddPrinted(&row, rows.Printed())); err != nil {
					return sums, err
				}
			}
			return sums, rows.Flush()
		}
		return writePieces(w, result.BalancePieces(balancesAtOnce), write, report.balances.Add)
	})
}

// previousReport is the report that a new one is compared with.
type previousReport struct {
	*earlierReport
	// reissue is a report that the new one repeats: what changed before it was written is said again.
	reissue *earlierReport
}

// named is how summary.json calls it; nil for none.
func (p previousReport) named() *formats.SummaryPrevious {
	if p.earlierReport == nil {
		return nil
	}
	return &formats.SummaryPrevious{Run: p.run(), SHA256: p.sha256}
}

// follow makes the exceptions go on from the earlier report, and returns the one to compare with: the last one of the
// date, unless the new one only repeats it. Then it is the one before that, so that the same inputs give the same bytes
// however often they are reconciled.
func (report *Report) follow(result *reconciler.Result, earlier earlierReports, live formats.Live) (previousReport, error) {
	unseen := unseenReasons(live)
	if earlier.same == nil {
		result.Continue(earlier.exceptionsAfter(nil), unseen...)
		return previousReport{}, nil
	}
	complete := (earlier.same.summary.Previous == nil) == (earlier.older == nil)
	if complete {
		result.Continue(earlier.exceptionsAfter(earlier.older), unseen...)
		if same, err := report.repeats(result, earlier.same); err != nil || same {
			return previousReport{earlier.older, earlier.same}, err
		}
	}
	result.Continue(earlier.exceptionsAfter(earlier.same), unseen...)
	return previousReport{earlierReport: earlier.same}, nil
}

// unseenReasons are the reasons of breaks that were not looked for.
func unseenReasons(live formats.Live) []string {
	if live.Compared > 0 && live.Stopped == "" {
		return nil
	}
	return []string{formats.ReasonBalanceDrift}
}

// repeats reports whether an earlier report of the date has the very same figures.
func (report *Report) repeats(result *reconciler.Result, earlier *earlierReport) (bool, error) {
	for _, name := range []string{"balances.csv", "payments.csv", assertionsFile} {
		if hashFile(filepath.Join(report.Dir, name)) != hashFile(filepath.Join(earlier.dir, name)) {
			return false, nil
		}
	}
	hash := sha256.New()
	err := fillReport(hash, formats.NewExceptionWriter, exceptionRows(result))
	return hex.EncodeToString(hash.Sum(nil)) == hashFile(filepath.Join(earlier.dir, "exceptions.csv")), err
}

func exceptionRows(result *reconciler.Result) func(*formats.ExceptionWriter) error {
	return func(rows *formats.ExceptionWriter) error {
		for _, row := range result.Exceptions {
			if err := rows.Write(row); err != nil {
				return err
			}
		}
		return nil
	}
}

// write writes what is left to write: balances.csv, payments.csv and assertions.csv are there already.
func (report *Report) write(result *reconciler.Result, previous previousReport, log *slog.Logger) error {
	report.Files = append([]string{"balances.csv", "payments.csv", "exceptions.csv", "changes.csv", "summary.json"}, report.Files...)
	err := errors.Join(
		writeReport(report.file, filepath.Join(report.Dir, "exceptions.csv"), formats.NewExceptionWriter, exceptionRows(result)),
		report.writeChanges(previous, log),
	)
	return errors.Join(err, report.file(filepath.Join(report.Dir, "summary.json"), func(w io.Writer) error {
		return formats.WriteSummary(w, report.Summary)
	}))
}

// writeChanges writes changes.csv. A previous report that cannot be compared with is worth a warning, and none is named
// then.
func (report *Report) writeChanges(previous previousReport, log *slog.Logger) error {
	path := filepath.Join(report.Dir, "changes.csv")
	if previous.reissue != nil {
		text, err := os.ReadFile(filepath.Join(previous.reissue.dir, "changes.csv"))
		if err == nil {
			return report.file(path, func(w io.Writer) error {
				_, err := w.Write(text)
				return err
			})
		}
	}
	compare := func(rows *formats.ChangeWriter) error { return nil }
	if previous.earlierReport != nil {
		compare = func(rows *formats.ChangeWriter) error { return compareReports(rows, previous.earlierReport, report) }
	}
	err := writeReport(report.file, path, formats.NewChangeWriter, compare)
	if fault, ok := errors.AsType[*formats.FileError](err); ok {
		log.Warn("the report is not compared with the one before it, which cannot be read any more", "report", previous.dir, "error", fault)
		report.Summary.Previous = nil
		return writeReport(report.file, path, formats.NewChangeWriter, func(*formats.ChangeWriter) error { return nil })
	}
	return err
}
