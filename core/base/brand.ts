/** A primitive that the type checker keeps apart from others of its kind; it costs nothing at run time. */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name };
