package formats

import (
	"errors"
	"io"
)

// Comment is what an analyst wrote beside an exception.
type Comment struct{ Owner, Comment string }

// ReadComments reads the analyst's columns of an exceptions.csv, by exception id; an exception with both cells empty is
// left out. The file may have gone through a spreadsheet: a byte order mark, semicolons, other columns and another order
// of them are all right. It must have the columns exception_id, owner and comment; a file that has not, or that is no
// CSV, is a *FileError.
func ReadComments(r io.Reader) (map[string]Comment, error) {
	table, err := openNamedColumns(r, []string{"exception_id", "owner", "comment"}, nil)
	if err != nil {
		return nil, err
	}
	comments := map[string]Comment{}
	for {
		row, err := table.next()
		if errors.Is(err, io.EOF) {
			return comments, nil
		}
		if err != nil {
			return nil, err
		}
		comment := Comment{Owner: Unescape(row.cell("owner")), Comment: Unescape(row.cell("comment"))}
		if id := row.cell("exception_id"); id != "" && comment != (Comment{}) {
			comments[id] = comment
		}
	}
}
