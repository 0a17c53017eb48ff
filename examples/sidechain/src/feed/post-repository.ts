import type { Pool } from 'pg';

export interface Post {
  readonly id: number;
  readonly userId: string;
  readonly caption: string;
}

interface PostRow {
  readonly id: number;
  readonly user_id: string;
  readonly caption: string;
}

export class PostRepository {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async createTable(): Promise<void> {
    await this.#pool.query(
      'CREATE TABLE IF NOT EXISTS posts (id serial PRIMARY KEY, user_id text NOT NULL, caption text NOT NULL)',
    );
  }

  async newest(limit: number): Promise<readonly Post[]> {
    const { rows } = await this.#pool.query<PostRow>(
      'SELECT id, user_id, caption FROM posts ORDER BY id DESC LIMIT $1',
      [limit],
    );
    return rows.map(toPost);
  }

  async add(userId: string, caption: string): Promise<Post> {
    const { rows } = await this.#pool.query<PostRow>(
      'INSERT INTO posts (user_id, caption) VALUES ($1, $2) RETURNING id, user_id, caption',
      [userId, caption],
    );
    const [row] = rows;
    if (row === undefined) throw new Error('the post was not stored');
    return toPost(row);
  }
}

function toPost({ id, user_id, caption }: PostRow): Post {
  return { id, userId: user_id, caption };
}
