;; A tight loop without memory: steps of the Collatz sequences of all numbers below n.
(module
  (func (export "run") (param $n i32) (result i64)
    (local $start i64) (local $x i64) (local $steps i64)
    (local.set $start (i64.extend_i32_u (local.get $n)))
    (loop $numbers
      (local.set $x (local.get $start))
      (block $one
        (loop $again
          (br_if $one (i64.le_u (local.get $x) (i64.const 1)))
          (if (i64.eqz (i64.and (local.get $x) (i64.const 1)))
            (then (local.set $x (i64.shr_u (local.get $x) (i64.const 1))))
            (else (local.set $x
              (i64.add (i64.mul (local.get $x) (i64.const 3)) (i64.const 1)))))
          (local.set $steps (i64.add (local.get $steps) (i64.const 1)))
          (br $again)))
      (br_if $numbers (i64.ne
        (local.tee $start (i64.sub (local.get $start) (i64.const 1)))
        (i64.const 0))))
    (local.get $steps)))
