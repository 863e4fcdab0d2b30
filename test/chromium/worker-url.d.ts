/** Vite's address of a module worker. */
declare module '*?worker&url' {
  const url: string;
  // biome-ignore lint/style/noDefaultExport: Vite's own form of such a module.
  export default url;
}
