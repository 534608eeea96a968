;; Bulk memory: n rounds of overlapping copies and fills of 16 bytes to 16 KiB; a sum of single loads.
(module
  (memory 2)
  (func (export "run") (param $n i32) (result i64)
    (local $len i32) (local $sum i64)
    (memory.fill (i32.const 0) (i32.const 7) (i32.const 131072))
    (loop $rounds
      (local.set $len (i32.const 16))
      (loop $sizes
        (memory.fill (local.get $len) (local.get $n) (i32.shr_u (local.get $len) (i32.const 1)))
        (memory.copy (i32.const 65536) (i32.const 8) (local.get $len))
        (memory.copy (i32.const 65540) (i32.const 65536) (local.get $len))
        (memory.copy (i32.const 0) (i32.const 65542) (local.get $len))
        (local.set $sum (i64.add
          (i64.mul (local.get $sum) (i64.const 31))
          (i64.load (i32.add (local.get $len) (i32.const 65528)))))
        (local.set $len (i32.shl (local.get $len) (i32.const 1)))
        (br_if $sizes (i32.le_u (local.get $len) (i32.const 16384))))
      (br_if $rounds (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
