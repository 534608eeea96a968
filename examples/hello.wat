;; Greets whom its host names.
(component
  (import "name" (func $name (result string)))
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    ;; Room is never given back.
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3)))))
  (core instance $libc (instantiate $libc))
  (core func $name' (canon lower (func $name)
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (alias core export $libc "memory" (core memory $memory))
  (core module $main
    (import "" "memory" (memory 1))
    (import "" "name" (func $name (param i32)))
    (data (i32.const 64) "hello, ")
    (func (export "greet") (result i32)
      ;; Address and length of the name go to 8, those of the greeting to 16.
      (call $name (i32.const 8))
      (memory.copy (i32.const 71) (i32.load (i32.const 8)) (i32.load (i32.const 12)))
      (i32.store (i32.const 16) (i32.const 64))
      (i32.store (i32.const 20) (i32.add (i32.const 7) (i32.load (i32.const 12))))
      (i32.const 16)))
  (core instance $main (instantiate $main (with "" (instance
    (export "memory" (memory $memory)) (export "name" (func $name'))))))
  (func (export "greet") (result string)
    (canon lift (core func $main "greet") (memory (core memory $libc "memory")))))
