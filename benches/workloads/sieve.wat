;; Bytes of memory, written with a stride and swept: the primes below a million, n times; the sum of all.
(module
  (memory 16)
  (global $limit i32 (i32.const 1000000))
  (func $sieve (result i64)
    (local $i i32) (local $j i32) (local $sum i64)
    (memory.fill (i32.const 0) (i32.const 0) (global.get $limit))
    (local.set $i (i32.const 2))
    (loop $primes
      (if (i32.eqz (i32.load8_u (local.get $i)))
        (then
          (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $i))))
          (if (i32.lt_u (local.get $i) (i32.const 1000))
            (then
              (local.set $j (i32.mul (local.get $i) (local.get $i)))
              (loop $multiples
                (i32.store8 (local.get $j) (i32.const 1))
                (local.set $j (i32.add (local.get $j) (local.get $i)))
                (br_if $multiples (i32.lt_u (local.get $j) (global.get $limit))))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $primes (i32.lt_u (local.get $i) (global.get $limit))))
    (local.get $sum))
  (func (export "run") (param $n i32) (result i64)
    (local $sum i64)
    (loop $again
      (local.set $sum (i64.add (local.get $sum) (call $sieve)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
