package unpack

import (
	"archive/zip"
	"bufio"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// gunzip takes one member. Several in a row are several files to gzip, whose joint is nobody's decision here.
func (u *unpacker) gunzip(from *os.File, to io.Writer) error {
	src := bufio.NewReaderSize(u.counted(from), 64<<10)
	z, err := gzip.NewReader(src)
	if err != nil {
		return u.broken("gzip", err)
	}
	z.Multistream(false)
	if err := u.copy(to, z, "gzip"); err != nil {
		return err
	}
	if _, err := src.Peek(1); !errors.Is(err, io.EOF) {
		return fault("several_members", "the gzip file has something behind its end, a second file or damage; compress one file alone")
	}
	return nil
}

// zstdWindow is how much memory a zstd file may ask for, 128 MiB: that of zstd --long.
const zstdWindow = 128 << 20

func (u *unpacker) unzstd(from *os.File, to io.Writer) error {
	z, err := zstd.NewReader(u.counted(from), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
	if err != nil {
		return u.broken("zstd", err)
	}
	defer z.Close()
	return u.copy(to, z, "zstd")
}

// unzip takes the archive's only file, whatever its name and path.
func (u *unpacker) unzip(from *os.File, to io.Writer) error {
	info, err := from.Stat()
	if err != nil {
		return u.broken("zip", err)
	}
	archive, err := zip.NewReader(from, info.Size())
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return u.broken("zip", err)
	}
	var files []*zip.File
	for _, f := range archive.File {
		switch {
		case strings.EqualFold(f.Name, "[Content_Types].xml"):
			return fault("excel_workbook", "the file is an Excel workbook; save it as CSV UTF-8")
		case !f.FileInfo().IsDir():
			files = append(files, f)
		}
	}
	if len(files) != 1 || !files[0].Mode().IsRegular() {
		return fault("several_files", "the zip archive must hold exactly one file; pack it alone")
	}
	const encryptedFlag = 1
	if files[0].Flags&encryptedFlag != 0 {
		return fault("encrypted_zip", "the zip archive is encrypted; use PGP (files.pgp), or send it as it is over SFTP")
	}
	content, err := files[0].Open()
	if err != nil {
		return u.broken("zip", err)
	}
	defer content.Close()
	u.read = int64(min(files[0].CompressedSize64, uint64(info.Size())))
	return u.copy(to, content, "zip")
}
