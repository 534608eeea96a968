;; Deep chains of calls: n times down 900 calls through three functions that call each other with different numbers
;; of arguments and results that are needed after the call, and back.
(module
  (func $one (param $left i32) (param $a i64) (result i64)
    (if (result i64) (local.get $left)
      (then
        (i64.add
          (call $two (i32.sub (local.get $left) (i32.const 1)) (local.get $a) (i64.const 3))
          (local.get $a)))
      (else (local.get $a))))
  (func $two (param $left i32) (param $a i64) (param $b i64) (result i64)
    (local $result i64)
    (if (i32.eqz (local.get $left)) (then (return (local.get $b))))
    (local.set $result
      (call $three (i32.sub (local.get $left) (i32.const 1)) (local.get $b) (local.get $a) (i32.const 7)
        (i64.xor (local.get $a) (local.get $b))))
    (i64.sub (local.get $result) (local.get $b)))
  (func $three (param $left i32) (param $a i64) (param $b i64) (param $c i32) (param $d i64) (result i64)
    (if (i32.eqz (local.get $left)) (then (return (local.get $d))))
    (i64.rotl
      (call $one (i32.sub (local.get $left) (i32.const 1)) (i64.add (local.get $b) (local.get $d)))
      (i64.extend_i32_u (local.get $c))))
  (func (export "run") (param $n i32) (result i64)
    (local $sum i64)
    (loop $again
      (local.set $sum
        (i64.add
          (local.get $sum)
          (call $one (i32.const 900) (i64.add (local.get $sum) (i64.extend_i32_u (local.get $n))))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
