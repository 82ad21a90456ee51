/* The first import of every peer: Express, Koa and better-auth read this when they load. */
process.env.NODE_ENV = 'production';
