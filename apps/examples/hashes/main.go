// Hashes and encodings: digests, checksums, hexadecimal and base64.
package main

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"hash/fnv"
)

func main() {
	text := []byte("hello, world\n")
	sum := sha256.Sum256(text)
	fmt.Println(hex.EncodeToString(sum[:]))
	h := sha256.New()
	h.Write(text[:7])
	h.Write(text[7:])
	fmt.Println("in two pieces the same:", string(h.Sum(nil)) == string(sum[:]))
	old := md5.Sum(text)
	fmt.Println(hex.EncodeToString(old[:]))
	fmt.Printf("%08x\n", crc32.ChecksumIEEE(text))
	f := fnv.New32a()
	f.Write(text)
	fmt.Printf("%08x\n", f.Sum32())

	code := base64.StdEncoding.EncodeToString(text)
	back, err := base64.StdEncoding.DecodeString(code)
	fmt.Print(code, " ", err, " ", string(back))
	_, err = hex.DecodeString("0x")
	fmt.Println("that is no hexadecimal:", err != nil)
}
