#!/usr/bin/env bash
# Makes the pictures of this directory from the data of `tallyman demo`. Needs chromium, soffice and pdftoppm.
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in chromium soffice pdftoppm; do
	command -v "$tool" >/dev/null || { echo "gallery: $tool is missing" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

go run ./cmd/tallyman demo --dir "$work/demo" >/dev/null
# Run ids sort by time: the last report is that with the payments.
report=$(find "$work/demo/reports" -name report.html | sort | tail -1)
report=${report%/*}

# page NAME WIDTH HEIGHT [FLAG...]: a picture of the page in a window of that size.
page() {
	chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$work/$1" \
		--window-size="$2,$3" --screenshot="$PWD/docs/gallery/$1.png" "${@:4}" "file://$report/report.html" >/dev/null 2>&1
}
page page 1200 1500
page page-dark 1200 900 --blink-settings=preferredColorScheme=0
page page-phone 500 1500

soffice "-env:UserInstallation=file://$work/office" --headless --convert-to pdf --outdir "$work" "$report/report.xlsx" >/dev/null 2>&1
pdftoppm -png -r 75 -f 1 -l 2 "$work/report.pdf" "$work/sheet"
mapfile -t sheets < <(find "$work" -maxdepth 1 -name 'sheet-*.png' | sort)
cp "${sheets[0]}" docs/gallery/workbook-summary.png
cp "${sheets[1]}" docs/gallery/workbook-balances.png
chmod 644 docs/gallery/*.png
