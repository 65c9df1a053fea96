// Prints rows of a segment, by hyparquet, which finds them by the offset index: FILE FIRST-ROW LAST-ROW FIRST-OFFSET LAST-OFFSET. When
// the rows are few, it fails unless little of the file was read for them.
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

const [path, first, last] = process.argv.slice(2)
const whole = await asyncBufferFromFile(path)
const metadata = await parquetMetadataAsync(whole)
let bytes = 0
const file = {
  byteLength: whole.byteLength,
  slice(from, to = whole.byteLength) {
    bytes += to - from
    return whole.slice(from, to)
  },
}
const rows = await parquetReadObjects({
  file, metadata, compressors, utf8: false, useOffsetIndex: true, rowStart: Number(first), rowEnd: Number(last) + 1,
})
if (Number(last) === Number(first) && bytes > 40_000) throw new Error(`${bytes} of ${whole.byteLength} bytes were read for one row`)

const binary = (b) => (b === null || b === undefined ? '-' : 'x' + Buffer.from(b).toString('hex'))
const number = (n) => (n === null || n === undefined ? '-' : String(n instanceof Date ? n.getTime() : n))
for (const r of rows) {
  const headers = r.headers.map((h) => binary(Buffer.from(h.key)) + '=' + binary(h.value)).join(',')
  console.log([number(r.offset), number(r.timestamp), binary(r.key), binary(r.value), headers || '.', number(r.timestamp_type),
    number(r.producer_id), number(r.producer_epoch), number(r.sequence), number(r.raw_timestamp), binary(r.raw_header_keys)].join(' '))
}
